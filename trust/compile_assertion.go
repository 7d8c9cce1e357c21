package trust

import (
	"fmt"
	"slices"
	"strings"
)

// assertions checks how assertions may be used, and fills in the defaults.
func (c *compiler) assertions(path string, a *AssertionSpec) {
	if a == nil {
		return
	}
	c.names(path+".audiences", "list our issuer, or the entityID of an application whose assertions it may send on", a.Audiences)
	c.names(path+".recipients", "list the assertion consumer URL of an application", a.Recipients)
	for _, list := range []struct {
		key    string
		values []string
	}{{"audiences", a.Audiences}, {"recipients", a.Recipients}} {
		for i, value := range list.values {
			if c.ours(value) {
				c.fault(fmt.Sprintf("%s.%s[%d]", path, list.key, i), "remove it: an assertion made for another endpoint of ours is not exchanged",
					"%q is below our issuer, and not the token endpoint", value)
			}
		}
	}
	if err := durationFault(a.MaxAge); err != nil {
		c.fault(path+".max_age", durationRemedy, "the maximum age cannot be used: %v", err)
	}
	if a.MaxAge == 0 {
		a.MaxAge = DefaultMaxAge
	}
	if len(a.Audiences) == 0 {
		a.Audiences = []string{c.spec.Issuer}
	}
	if endpoint := c.reg.TokenEndpoint(); !slices.Contains(a.Recipients, endpoint) {
		a.Recipients = append([]string{endpoint}, a.Recipients...)
	}
}

// ours says whether a URL is an endpoint of ours other than the token endpoint.
func (c *compiler) ours(url string) bool {
	return url != c.reg.TokenEndpoint() && strings.HasPrefix(url, c.spec.Issuer+"/")
}
