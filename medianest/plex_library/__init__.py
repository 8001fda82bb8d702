"""After a download: Plex is asked to look, the video is found there, and a playlist becomes a collection."""
