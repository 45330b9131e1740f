"""The phones: many in one process, what they say, what they get, whom they hear, and how they call."""
