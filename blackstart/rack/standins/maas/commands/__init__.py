"""What people type in the guest, as far as it is needed here."""
