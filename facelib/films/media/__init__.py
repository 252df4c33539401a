"""A film as a file: opened, decoded to the pictures as they are shown, its one clock, its sound, and written as MP4."""
