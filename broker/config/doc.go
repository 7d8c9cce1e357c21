// Package config reads Apostille's configuration: TOML in, one checked and immutable Config out.
//
// It owns the keys (one table in keytable.go drives decoding, unknown-key checks, defaults, the JSON
// Schema and the reference), the merging of main files and trust.d, the place of each fault (file, line,
// dotted path) and the reading of the files that configuration names. It reports all faults at once and
// refuses rather than guesses: an unknown key, a wrong type or a missing key source never loads.
//
// What the policy means is trust's business (Compile checks and compiles it); which keys are strong
// enough is trust/jose's; fetching keys is upstream/keys'. Nobody else knows TOML. The package does no
// network I/O and starts nothing; a reload is a second Load.
package config
