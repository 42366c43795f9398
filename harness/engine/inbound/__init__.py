"""How a run hears from the hub: one server takes callbacks for our DFSPs and plays payees."""
