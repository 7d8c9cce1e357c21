package fake

import "slices"

// Person can sign in at a Provider, with one click and no password.
type Person struct {
	Username   string // names the button; unique
	Sub        string // default "fake|" + Username
	Name       string
	Email      string // "" = none; told by userinfo only, so that a relying party must ask there
	Department string
	Claims     map[string]any // further claims, in ID token and userinfo
}

// DemoPeople is the table of the demo's head office.
func DemoPeople() []Person {
	return []Person{
		{Username: "alice", Name: "Alice Martin", Email: "alice@hq.hmart.example", Department: "logistics"},
		{Username: "bob", Name: "Bob Keller", Email: "bob@hq.hmart.example", Department: "sales"},
		{Username: "carol", Name: "Carol Núñez", Email: "carol@hq.hmart.example", Department: "catering"},
	}
}

// Sub is the subject identifier of a person; "" if nobody has the name.
func (p *Provider) Sub(username string) string {
	person, _ := p.person(username)
	return person.Sub
}

func (p *Provider) person(username string) (Person, bool) {
	i := slices.IndexFunc(p.o.People, func(h Person) bool { return h.Username == username })
	if i < 0 {
		return Person{}, false
	}
	h := p.o.People[i]
	if h.Sub == "" {
		h.Sub = "fake|" + h.Username
	}
	return h, true
}

// idTokenClaims are the claims that an ID token has of a person.
func (h Person) idTokenClaims(scopes []string) map[string]any {
	claims := map[string]any{"sub": h.Sub}
	if slices.Contains(scopes, "profile") {
		claims["name"], claims["preferred_username"], claims["department"] = h.Name, h.Username, h.Department
		for name, v := range h.Claims {
			claims[name] = v
		}
	}
	return claims
}

// userInfoClaims are those, and the e-mail address.
func (h Person) userInfoClaims(scopes []string) map[string]any {
	claims := h.idTokenClaims(scopes)
	if h.Email != "" && slices.Contains(scopes, "email") {
		claims["email"], claims["email_verified"] = h.Email, true
	}
	return claims
}
