// Package tests has what crosses packages: life cycles, golden previews, secrets and the documentation,
// with the real program on the flight simulator. Its subfolders do the same for one subject each, as
// packages of their own so that they run side by side; what they share is in tests/rig.
package tests
