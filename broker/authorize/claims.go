package authorize

import (
	"encoding/json"
	"errors"
	"slices"

	"apostille/trust/jose"
)

// Limits of the claims parameter.
const (
	maxClaims      = 2 << 10 // bytes
	maxClaimsNamed = 64      // in each of its two members
)

// Claims is the `claims` parameter (OpenID Connect Core §5.5): what is wanted in the ID token and from userinfo beyond the scopes.
// It marshals to the parameter's own shape.
type Claims struct {
	IDToken  map[string]*Claim `json:"id_token,omitempty"`
	UserInfo map[string]*Claim `json:"userinfo,omitempty"`
}

// Claim is how one claim is wanted; nil = voluntarily, with any value.
type Claim struct {
	Essential bool  `json:"essential,omitempty"`
	Value     any   `json:"value,omitempty"`
	Values    []any `json:"values,omitempty"`
}

// parseClaims reads the parameter strictly; members that the specification does not define are ignored, as it says.
func parseClaims(text string) (Claims, error) {
	if len(text) > maxClaims {
		return Claims{}, errors.New("claims is too long")
	}
	top, err := jose.DecodeObject([]byte(text))
	if err != nil {
		return Claims{}, errors.New("claims is not a JSON object")
	}
	var c Claims
	if c.IDToken, err = parseMember(top["id_token"]); err != nil {
		return Claims{}, err
	}
	c.UserInfo, err = parseMember(top["userinfo"])
	return c, err
}

func parseMember(v any) (map[string]*Claim, error) {
	if v == nil {
		return nil, nil
	}
	members, ok := v.(map[string]any)
	if !ok {
		return nil, errors.New("a member of claims is not an object")
	}
	if len(members) > maxClaimsNamed {
		return nil, errors.New("claims names too many claims")
	}
	out := make(map[string]*Claim, len(members))
	for name, how := range members {
		claim, err := parseClaim(how)
		if err != nil {
			return nil, err
		}
		out[name] = claim
	}
	return out, nil
}

func parseClaim(v any) (*Claim, error) {
	if v == nil {
		return nil, nil
	}
	how, ok := v.(map[string]any)
	if !ok {
		return nil, errors.New("a claim of claims is neither null nor an object")
	}
	c := &Claim{Value: how["value"]}
	if essential, present := how["essential"]; present {
		if c.Essential, ok = essential.(bool); !ok {
			return nil, errors.New("essential is not true or false")
		}
	}
	if list, present := how["values"]; present {
		if c.Values, ok = list.([]any); !ok {
			return nil, errors.New("values is not an array")
		}
	}
	return c, nil
}

// encode writes it for the ID token and userinfo, which are made later; nil if it asks for nothing.
func (c Claims) encode() []byte {
	if len(c.IDToken)+len(c.UserInfo) == 0 {
		return nil
	}
	b, err := json.Marshal(c)
	if err != nil {
		return nil // never: its values came out of JSON
	}
	return b
}

// strings lists the values wanted of a claim that are strings, `value` first; of `acr` and `sub` others cannot match.
func (c *Claim) strings() []string {
	if c == nil {
		return nil
	}
	var out []string
	for _, v := range append([]any{c.Value}, c.Values...) {
		if s, ok := v.(string); ok && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// subjects lists the subs that `sub` may have, and whether it is bound at all (§5.5.1: then no other identity may answer).
func (c Claims) subjects() (subs []string, bound bool) {
	for _, claim := range []*Claim{c.IDToken["sub"], c.UserInfo["sub"]} {
		if claim == nil || claim.Value == nil && claim.Values == nil {
			continue
		}
		mine := claim.strings()
		if bound {
			mine = slices.DeleteFunc(mine, func(s string) bool { return !contains(subs, s) })
		}
		subs, bound = mine, true
	}
	return subs, bound
}

// acr lists the classes asked for, and whether no other will do (§5.5.1.1).
func (c Claims) acr() (values []string, essential bool) {
	claim := c.IDToken["acr"]
	values = claim.strings()
	return values, claim != nil && claim.Essential && len(values) > 0
}
