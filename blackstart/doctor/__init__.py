"""What is reached of all that an inventory names, and the command for what is not."""
