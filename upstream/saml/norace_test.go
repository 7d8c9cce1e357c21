//go:build !race

package saml_test

const raceDetector = false
