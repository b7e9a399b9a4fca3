"""Evidence: summary, pictures, terminal and Allure, all views of a drill's directory."""
