"""What a result looks like: cameras, cuts and colours for figures, and the interactive viewer."""
