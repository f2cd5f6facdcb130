"""Models on disk: where they come from (`hub`) and how they are read (`checkpoint`)."""
