package trust

import (
	"crypto/sha256"
	"encoding/hex"
	"iter"
	"slices"
	"strings"
)

// Member is one identity provider of a federation, as the federation's signed metadata describes it. Read-only.
type Member struct {
	ID         string // trust ID: see MemberID
	Federation string // ID of its `[federation.ID]`
	EntityID   string
	Name       string   // for people
	Keywords   []string // further words to find it by, its names in other languages among them
	Logo       string   // https URL; "" = initials
	Hidden     bool     // the federation asks not to list it
	// Scopes are the domains that its scoped attributes may end in (shibmd:Scope), lower case; empty = none.
	Scopes    []string
	Authority string // who registered it (mdrpi:RegistrationInfo); "" = unknown
	// Attributes are its entity attributes by name: of categories that is CategoryAttribute.
	Attributes map[string][]string
}

// CategoryAttribute names the entity categories among a member's attributes (RFC 8409 §3).
const CategoryAttribute = "http://macedir.org/entity-category"

// memberDigits is how many hexadecimal digits of a digest tell the members of a federation apart.
const memberDigits = 32

// MemberID makes the trust ID of a federation's member: the federation's ID, a dot, and half of the SHA-256 of the entityID. It is stable, has the
// syntax of a trust's ID, and Compile lets no other trust have it.
func MemberID(federation, entityID string) string {
	sum := sha256.Sum256([]byte(entityID))
	return federation + "." + hex.EncodeToString(sum[:memberDigits/2])
}

// federationOf returns the federation that an ID in the form of MemberID names.
func federationOf(id string) (federation string, ok bool) {
	at := len(id) - memberDigits - 1
	if at < 1 || id[at] != '.' || strings.Trim(id[at+1:], "0123456789abcdef") != "" {
		return "", false
	}
	return id[:at], true
}

// Directory finds members of federations. An entityID has one member at most: where federations share one, the first in the order of their IDs
// counts. Implementations are safe for concurrent use; they answer from memory, but may wait some seconds where a federation is asked on demand: ByIssuer
// when what is known is due, ByID only if nothing is. What one answers may be kept until the next Directory.
type Directory interface {
	// ByID finds a member by its trust ID.
	ByID(id string) (*Member, bool)
	// ByIssuer finds a member by its entityID.
	ByIssuer(entityID string) (*Member, bool)
	// All yields the members that are known.
	All() iter.Seq[*Member]
}

// nobody is the Directory of a policy without federations.
type nobody struct{}

func (nobody) ByID(string) (*Member, bool)     { return nil, false }
func (nobody) ByIssuer(string) (*Member, bool) { return nil, false }
func (nobody) All() iter.Seq[*Member]          { return func(func(*Member) bool) {} }

// MemberSpec narrows a grant rule of a federation to some of its members: every list that is stated must have a value of the member's.
type MemberSpec struct {
	Categories  []string            // entity categories
	Authorities []string            // registration authorities
	Attributes  map[string][]string // entity attribute → values
}

func (m *MemberSpec) empty() bool {
	return len(m.Categories) == 0 && len(m.Authorities) == 0 && len(m.Attributes) == 0
}

// concerns says whether a rule with the spec is about a member; nil is about each.
func (m *MemberSpec) concerns(member *Member) bool {
	if m == nil {
		return true
	}
	among := func(listed, has []string) bool {
		return len(listed) == 0 || slices.ContainsFunc(has, func(v string) bool { return slices.Contains(listed, v) })
	}
	if !among(m.Categories, member.Attributes[CategoryAttribute]) || !among(m.Authorities, []string{member.Authority}) {
		return false
	}
	for name, values := range m.Attributes {
		if !among(values, member.Attributes[name]) {
			return false
		}
	}
	return true
}

// words says it for people.
func (m *MemberSpec) words() (list []string) {
	if m == nil {
		return nil
	}
	if len(m.Categories) > 0 {
		list = append(list, "member of category "+strings.Join(m.Categories, " or "))
	}
	if len(m.Authorities) > 0 {
		list = append(list, "member registered by "+strings.Join(m.Authorities, " or "))
	}
	for _, name := range sortedKeys(m.Attributes) {
		list = append(list, "member with "+name+" "+strings.Join(m.Attributes[name], " or "))
	}
	return list
}
