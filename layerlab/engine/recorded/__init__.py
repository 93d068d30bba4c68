"""An engine that answers from recordings: `store` keeps them, `steps` names them, `engine` and `replay_*` play them."""
