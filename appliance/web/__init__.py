"""Everything a person sees: pages, their scripts and styles, live events, problem documents."""
