"""What somebody who writes a policy works with: explaining it, comparing it, running its cases, trying records."""
