// Package broker puts the endpoints together: New makes the one HTTP handler of a regional broker. routes.go lists what is
// mounted; the discovery documents are made from that list, so that they can name nothing that is not there.
package broker
