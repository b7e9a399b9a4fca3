"""Past outages as data: what each changed, what must be foreseen, and what a drill must show."""
