"""What notebook 11 needs besides a review: the prompt, and the panel that an answer is pasted into."""
