// Your analytics. Agents never load it.
