"""What many calls cost and how they fare: conferences large and many, coming, going, too much at once."""
