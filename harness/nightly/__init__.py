"""What happens every night: jobs on targets, each cleaned up after, judged, recorded and told where it changed."""
