"""Every query of what is in Plex and of what is still to be done there."""
