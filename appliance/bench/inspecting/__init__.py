"""Parts of `tallyman bench inspect`: each measures one promise of seeing."""
