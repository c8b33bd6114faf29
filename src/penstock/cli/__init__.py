"""Commands for people. Modules import little at the top: what a command needs is loaded when it runs."""
