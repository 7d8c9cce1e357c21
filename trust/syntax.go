package trust

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
)

var (
	idSyntax       = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`)
	clientIDSyntax = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$`)
	bareKey        = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)
	// scope-token of RFC 6749 §3.3: printable ASCII without space, `"` and `\`.
	scopeSyntax = regexp.MustCompile(`^[\x21\x23-\x5b\x5d-\x7e]+$`)
	// A segment of our issuer's path: unreserved characters of RFC 3986 §2.3.
	segmentSyntax = regexp.MustCompile(`^[A-Za-z0-9._~-]+$`)
	// A media type without "application/" (RFC 7515 §4.1.9), lower case.
	typeSyntax = regexp.MustCompile(`^[a-z0-9][a-z0-9!#$&^_.+-]*$`)
)

// key writes a name as a part of Problem.Path: bare where TOML lets it be bare, else quoted.
func key(name string) string {
	if bareKey.MatchString(name) {
		return name
	}
	return fmt.Sprintf("%q", name)
}

// scopeFault says what is wrong with the syntax of a scope, nil if nothing.
func scopeFault(scope string) error {
	if strings.Contains(scope, "*") {
		return fmt.Errorf("the scope %q has a wildcard", scope)
	}
	if !scopeSyntax.MatchString(scope) {
		return fmt.Errorf("the scope %q is not a scope-token of RFC 6749 §3.3", scope)
	}
	return nil
}

// issuerFault says what is wrong with a URL that is to be an issuer: RFC 8414 §2 wants https, no query, no fragment.
func issuerFault(issuer string, dev bool) error {
	u, err := url.Parse(issuer)
	switch {
	case err != nil:
		return errors.New("it is not a URL")
	case u.Scheme == "http" && !dev:
		return errors.New("http is for dev = true only")
	case u.Scheme != "https" && u.Scheme != "http":
		return fmt.Errorf("its scheme is %q, not https", u.Scheme)
	case u.Hostname() == "":
		return errors.New("it has no host")
	case u.User != nil:
		return errors.New("it has user information before the host")
	case strings.ContainsAny(issuer, "?#"):
		return errors.New("it has a query or a fragment")
	}
	return nil
}

// nameFault says what is wrong with an audience or another identifier that is compared byte for byte.
func nameFault(name string) error {
	switch {
	case name == "":
		return errors.New("it is empty")
	case name == "*":
		return errors.New("it is a wildcard")
	case strings.ContainsFunc(name, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }):
		return errors.New("it has a space or an unprintable character")
	}
	return nil
}

// resourceFault says what is wrong with a resource. RFC 8707 §2: an absolute URI without a fragment.
func resourceFault(resource string) error {
	u, err := url.Parse(resource)
	switch {
	case err != nil || !u.IsAbs():
		return errors.New("it is not an absolute URI")
	case strings.Contains(resource, "#"):
		return errors.New("it has a fragment")
	}
	return nameFault(resource)
}

// durationFault says what is wrong with a bound on time; 0 means the default or no bound.
func durationFault(d time.Duration) error {
	switch {
	case d < 0:
		return fmt.Errorf("%v is negative", d)
	case d > 0 && d < time.Second:
		return fmt.Errorf("%v is less than a second", d)
	case d > MaxLifetime:
		return fmt.Errorf("%v is more than %v", d, MaxLifetime)
	}
	return nil
}

// repeated returns the entries after the first of their kind, by index.
func repeated(list []string) []int {
	var again []int
	for i, v := range list {
		if slices.Contains(list[:i], v) {
			again = append(again, i)
		}
	}
	return again
}
