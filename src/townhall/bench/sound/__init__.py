"""How a conference sounds: recorded speech over bad networks, through the whole server, scored by PESQ."""
