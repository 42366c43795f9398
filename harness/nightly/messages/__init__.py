"""How those who must know learn what changed in a night: one message, said in the way of each channel."""
