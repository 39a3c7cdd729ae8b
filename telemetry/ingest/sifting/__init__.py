"""What a message is: whether it is new, what it says, what the rules make of it. Pure of I/O."""
