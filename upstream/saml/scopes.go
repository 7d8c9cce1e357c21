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
// case; everything else is compared as it is.
func scopeFault(domains []string, claims map[string]any) *fault {
	if domains == nil {
		return nil
	}
	for _, name := range scoped {
		for _, value := range texts(claims[name]) {
			at := strings.LastIndexByte(value, '@')
			if !slices.ContainsFunc(domains, func(d string) bool { return strings.EqualFold(d, value[at+1:]) }) || at < 0 {
				return faulty(trust.ReasonClaim, checkClaims, quote("the trust's attribute_scopes do not list the domain of "+name+" ", value[at+1:]))
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
