"""From labelled transcripts to a bundle. May import torch; the runtime never imports this."""
