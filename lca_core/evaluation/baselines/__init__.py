"""What avatars are measured against: methods that are not ours, each in a file with its source."""
