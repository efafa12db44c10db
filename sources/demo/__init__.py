"""The demonstration school authority: a made-up Swedish municipality served by six SS 12000 servers on loopback."""
