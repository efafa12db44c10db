"""``check --quality``: reads every list of every source, and says what is wrong in them."""
