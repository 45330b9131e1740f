"""The nouns of `<Dial>`, one file each: attribute table, how it is read, and what it asks of the call."""
