"""`penstock run`: a flow here and now, with the same engine a server has. Implements BEY-030 in part."""
