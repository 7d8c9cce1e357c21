package trust

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// Compile checks a Spec and makes the Registry that serves it. With any Problem the Registry is nil; every fault
// is reported at once, in a stable order. The Registry shares no memory with the Spec.
func Compile(s Spec) (*Registry, []Problem) {
	c := &compiler{spec: s, reg: newRegistry(s.Issuer)}
	c.issuer()
	for _, id := range sortedKeys(s.APIs) {
		c.api(id, s.APIs[id])
	}
	c.apiNames()
	for _, id := range sortedKeys(s.Clients) {
		c.client(id, s.Clients[id])
	}
	for _, id := range sortedKeys(s.Trusts) {
		c.trust(id, s.Trusts[id])
	}
	for _, id := range sortedKeys(s.Federations) {
		c.federation(id, s.Federations[id])
	}
	if _, stated := s.Trusts[Local]; !stated {
		c.trust(Local, TrustSpec{})
	}
	c.overlaps()
	if len(c.problems) > 0 {
		return nil, c.problems
	}
	return c.reg, nil
}

// compiler collects the Registry and the Problems on the way to it.
type compiler struct {
	spec     Spec
	reg      *Registry
	problems []Problem
	mapped   map[string]string // a mapped claim in lower case → as it was first spelled
}

func (c *compiler) fault(path, remedy, format string, args ...any) {
	c.problems = append(c.problems, Problem{Path: path, Text: fmt.Sprintf(format, args...), Remedy: remedy})
}

func (c *compiler) issuer() {
	const remedy = `write the https URL under which the broker is reached, such as "https://id.west.hmart.example"`
	switch err := issuerFault(c.spec.Issuer, c.spec.Dev); {
	case c.spec.Issuer == "":
		c.fault("issuer", remedy, "the issuer is missing")
	case err != nil:
		c.fault("issuer", remedy, "the issuer %q cannot be used: %v", c.spec.Issuer, err)
	case strings.HasSuffix(c.spec.Issuer, "/"):
		c.fault("issuer", "remove the trailing slash: verifiers compare byte for byte",
			"the issuer %q ends with a slash", c.spec.Issuer)
	case !servablePath(c.spec.Issuer):
		c.fault("issuer", "write a path of letters, digits and . _ ~ - between single slashes, and none of .well-known",
			"the path of the issuer %q cannot be served", c.spec.Issuer)
	}
}

// servablePath says whether requests can reach exactly the issuer's path: no segment that a server, a proxy or a client
// rewrites, decodes or takes for a pattern.
func servablePath(issuer string) bool {
	u, err := url.Parse(issuer)
	if err != nil {
		return false
	}
	if u.EscapedPath() == "" {
		return true
	}
	for i, segment := range strings.Split(u.EscapedPath(), "/") {
		if i > 0 && (!segmentSyntax.MatchString(segment) || segment == "." || segment == ".." || segment == ".well-known") {
			return false
		}
	}
	return true
}

// duplicates reports entries of a list that came before.
func (c *compiler) duplicates(path string, list []string) {
	for _, i := range repeated(list) {
		c.fault(fmt.Sprintf("%s[%d]", path, i), "remove one of them", "%q is listed twice", list[i])
	}
}

// sortedKeys makes the order of problems and rules independent of Go's map order.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
