"""How good each pipeline and each network is: measures, tables, sheets."""
