"""Transport orders as people and vehicles see them: asked for, called off, stopped, replenished."""
