"""Text put into real footage as it stands in the world, with the truth of each frame."""
