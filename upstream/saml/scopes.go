package saml

import (
	"slices"
	"strings"

	"apostille/trust"
)

// scoped are the attributes whose values end in a domain that their issuer must be entitled to (eduPerson 202208 §1, SAML Subject
// Identifier Attributes Profile 1.0 §3.2).
var scoped = []string{"eduPersonScopedAffiliation", "eduPersonPrincipalName", "eduPersonUniqueId", "subject-id", "pairwise-id"}

// scopeFault refuses what an issuer says of people of a domain that is not its own: else any of them could speak for all. Domains know no
// case; everything else is compared as it is. Where a second @ stands, readers disagree on which part is the domain.
func scopeFault(domains []string, claims map[string]any) *fault {
	if domains == nil {
		return nil
	}
	for _, name := range scoped {
		for _, value := range texts(claims[name]) {
			_, domain, found := strings.Cut(value, "@")
			switch {
			case !found || strings.Contains(domain, "@"): // it says who somebody is, so the text does not hold it
				return faulty(trust.ReasonClaim, checkClaims, "a value of "+name+" is not somebody @ one domain")
			case !slices.ContainsFunc(domains, func(d string) bool { return strings.EqualFold(d, domain) }):
				return faulty(trust.ReasonClaim, checkClaims, quote("the trust's attribute_scopes do not list the domain of "+name+" ", domain))
			}
		}
	}
	return nil
}

// texts are the values of a claim.
func texts(claim any) (list []string) {
	switch v := claim.(type) {
	case string:
		return []string{v}
	case []any:
		for _, each := range v {
			if s, ok := each.(string); ok {
				list = append(list, s)
			}
		}
	}
	return list
}
