"""Whole objects resynced: planned, then sent, parents first; what nobody asked for stays as it was."""



