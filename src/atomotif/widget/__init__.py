"""The front end's own JavaScript and style, shared by notebooks and pages; it knows no microscopy."""
