"""What `<Dial>` and `<Conference>` have in common about recordings."""

RECORDING_EVENTS = ("in-progress", "completed", "absent")
