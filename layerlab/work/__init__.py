"""A learner's work, with one owner: answers, text files, what was tried, and the one file that it all travels in."""
