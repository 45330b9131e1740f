"""What was found, for people and for machines: tables on a terminal, pages, a picture, JSON."""
