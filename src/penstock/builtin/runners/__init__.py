"""Where the commands of script tasks run."""
