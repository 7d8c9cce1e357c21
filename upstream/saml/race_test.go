//go:build race

package saml_test

// raceDetector: with it times and allocations say nothing.
const raceDetector = true
