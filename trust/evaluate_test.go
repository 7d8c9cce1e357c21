package trust

import (
	"strings"
	"testing"
	"time"
)

// situation is what a decision depends on.
type situation struct {
	spec *Spec
	q    *Request
	st   *Standing
}

// pair is a sentence about policy: `bad` makes it refuse with a reason, `good` is the nearest thing that is granted.
type pair struct {
	name   string
	ask    func() Request
	bad    func(situation)
	reason Reason
	good   func(situation)
}

func (p pair) decide(t *testing.T, policy func() Spec, change func(situation)) Decision {
	t.Helper()
	spec, q, st := policy(), p.ask(), live
	if change != nil {
		change(situation{&spec, &q, &st})
	}
	return compile(t, spec).Evaluate(q, st)
}

func runPairs(t *testing.T, pairs []pair) {
	t.Helper()
	runPairsOn(t, hmart, pairs)
}

func runPairsOn(t *testing.T, policy func() Spec, pairs []pair) {
	t.Helper()
	for _, p := range pairs {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			d := p.decide(t, policy, p.bad)
			if d.Granted || d.Reason != p.reason || d.Detail == "" {
				t.Errorf("refused: got granted=%v reason=%q detail=%q, want reason %q and a detail", d.Granted, d.Reason, d.Detail, p.reason)
			}
			if d.Audience != nil || d.APIs != nil || d.Scopes != nil || d.Claims != nil || !d.Expires.IsZero() ||
				d.Identity != nil || d.IdentityClaims != nil || d.Unconsented != nil || d.Family != "" || !d.AuthTime.IsZero() {
				t.Errorf("a refusal carries something to issue: %+v", d)
			}
			if twin := p.decide(t, policy, p.good); !twin.Granted || twin.Reason != "" {
				t.Errorf("twin: got refused %q: %s", twin.Reason, twin.Detail)
			}
		})
	}
}

func TestEvaluateSubject(t *testing.T) {
	t.Parallel()
	runPairs(t, []pair{
		{"a standing that was not loaded refuses", foreign, func(s situation) { s.st.Loaded = false }, ReasonStandingUnknown, nil},
		{"an unknown trust refuses", foreign, func(s situation) { s.q.Subject.Trust = "nobody" }, ReasonTrustNotLive, nil},
		{"a disabled trust refuses every exchange", foreign,
			func(s situation) { setTrust(s.spec, "hq", func(t *TrustSpec) { t.Disabled = true }) }, ReasonTrustNotLive, nil},
		{"a disabled trust refuses the JWT bearer grant too", foreign,
			func(s situation) {
				s.q.Grant = GrantJWTBearer
				setTrust(s.spec, "hq", func(t *TrustSpec) { t.Disabled = true })
			}, ReasonTrustNotLive, func(s situation) { s.q.Grant = GrantJWTBearer }},
		{"an own token dies with the trust it came through", own,
			func(s situation) { setTrust(s.spec, "hq", func(t *TrustSpec) { t.Disabled = true }) }, ReasonTrustNotLive, nil},
		{"an own token dies with the client it stands for", own,
			func(s situation) {
				s.q.Subject.Origin, s.q.Subject.Sub = Local, "client:gateway"
				setClient(s.spec, "gateway", func(c *ClientSpec) { c.Disabled = true })
			}, ReasonTrustNotLive, func(s situation) { s.q.Subject.Origin, s.q.Subject.Sub = Local, "client:gateway" }},
		{"a use that was withdrawn refuses", foreign, func(s situation) {
			s.q.Subject.Credential = CredentialIDToken
			setTrust(s.spec, "hq", func(t *TrustSpec) { t.IDToken = nil })
		}, ReasonTrustNotLive, func(s situation) { s.q.Subject.Credential = CredentialIDToken }},
		{"a person of local origin is nobody", own, func(s situation) { s.q.Subject.Origin = Local }, ReasonSubject, nil},
		{"a foreign origin cannot name a client of ours", own, func(s situation) { s.q.Subject.Sub = "client:portal" }, ReasonSubject, nil},
		{"a foreign credential cannot name a client of ours", foreign, func(s situation) { s.q.Subject.Sub = "client:portal" }, ReasonSubject, nil},
		{"a foreign credential under the trust local refuses", foreign,
			func(s situation) { s.q.Subject.Trust, s.q.Subject.Origin = Local, Local }, ReasonTrustNotLive, nil},
		{"an own token under a foreign trust refuses", own, func(s situation) { s.q.Subject.Trust = "hq" }, ReasonSubject, nil},
		{"a credential without type refuses", foreign, func(s situation) { s.q.Subject.Credential = "" }, ReasonSubject, nil},
		{"a credential without subject refuses", foreign, func(s situation) { s.q.Subject.Sub = "" }, ReasonSubject, nil},
		{"a foreign credential of another origin refuses", foreign, func(s situation) { s.q.Subject.Origin = Local }, ReasonSubject, nil},
		{"a client cannot act as another client", itself, func(s situation) { s.q.Subject.Sub = "client:gateway" }, ReasonSubject, nil},
		{"a blocked subject refuses in an exchange", foreign, func(s situation) { s.st.Blocked = true }, ReasonSubjectBlocked, nil},
		{"a blocked subject refuses in an exchange of an own token", own, func(s situation) { s.st.Blocked = true }, ReasonSubjectBlocked, nil},
		{"a blocked client refuses for itself", itself, func(s situation) { s.st.Blocked = true }, ReasonSubjectBlocked, nil},
		{"a credential issued before the cutoff refuses", foreign,
			func(s situation) { s.st.NotBefore = noon.Add(-30 * time.Second) }, ReasonNotBefore,
			func(s situation) { s.st.NotBefore = noon.Add(-time.Minute) }},
		{"a credential without a time of issue refuses when there is a cutoff", foreign,
			func(s situation) {
				s.q.Subject.IssuedAt = time.Time{}
				s.st.NotBefore = noon.Add(-time.Hour)
			}, ReasonNotBefore, func(s situation) { s.q.Subject.IssuedAt = time.Time{} }},
		{"client credentials are as new as the request", itself,
			func(s situation) { s.st.NotBefore = noon.Add(time.Second) }, ReasonNotBefore,
			func(s situation) { s.st.NotBefore = noon }},
		{"require binds an exchange", foreign,
			func(s situation) { requireDepartment(s, "sales") }, ReasonRequire,
			func(s situation) { requireDepartment(s, "logistics") }},
		{"require binds the JWT bearer grant", foreign,
			func(s situation) { s.q.Grant = GrantJWTBearer; requireDepartment(s, "sales") }, ReasonRequire,
			func(s situation) { s.q.Grant = GrantJWTBearer; requireDepartment(s, "logistics") }},
	})
}

func requireDepartment(s situation, want string) {
	setTrust(s.spec, "hq", func(t *TrustSpec) { t.Require = map[string]ConditionSpec{"department": {Exact: want}} })
}

func TestEvaluateClientAndRules(t *testing.T) {
	t.Parallel()
	runPairs(t, []pair{
		{"an unknown client refuses", foreign, func(s situation) { s.q.Client = "stranger" }, ReasonClientUnknown, nil},
		{"a disabled client refuses", foreign,
			func(s situation) { setClient(s.spec, "portal", func(c *ClientSpec) { c.Disabled = true }) }, ReasonClientUnknown, nil},
		{"a grant outside the registration refuses", foreign, func(s situation) {
			s.q.Grant = GrantJWTBearer
			setClient(s.spec, "portal", func(c *ClientSpec) { c.Grants = []string{"token_exchange"} })
		}, ReasonGrantNotAllowed, func(s situation) { s.q.Grant = GrantJWTBearer }},
		{"no grant at all refuses", foreign, func(s situation) { s.q.Grant = "" }, ReasonGrantNotAllowed, nil},
		{"an own token is no assertion", own, func(s situation) { s.q.Grant = GrantJWTBearer }, ReasonType, nil},
		{"client credentials are no subject token", itself, func(s situation) { s.q.Grant = GrantTokenExchange }, ReasonType, nil},
		{"a foreign token is no client credential", foreign, func(s situation) { s.q.Grant = GrantClientCredentials }, ReasonType, nil},
		{"a client that no rule of the trust names refuses", foreign, func(s situation) { s.q.Client = "gateway" }, ReasonNoRule,
			func(s situation) {
				s.q.Client = "gateway"
				setRule(s.spec, func(g *GrantSpec) { g.Clients = []string{"gateway"} })
			}},
		{"a trust without rules grants nothing", foreign,
			func(s situation) { setTrust(s.spec, "hq", func(t *TrustSpec) { t.Grants = nil }) }, ReasonNoRule, nil},
		{"without a client only unauthenticated rules count", foreign, func(s situation) { s.q.Client = "" }, ReasonClientRequired,
			func(s situation) { s.q.Client = ""; unauthenticated(s) }},
		{"an authenticated client does not use unauthenticated rules", foreign, unauthenticated, ReasonNoRule,
			func(s situation) { s.q.Client = ""; unauthenticated(s) }},
		{"a client needs no grant that it does not use", foreign,
			func(s situation) { setClient(s.spec, "portal", func(c *ClientSpec) { c.Grants = nil }) }, ReasonGrantNotAllowed,
			func(s situation) {
				setClient(s.spec, "portal", func(c *ClientSpec) { c.Grants = []string{"token_exchange"} })
			}},
		{"an unmet condition refuses", foreign,
			func(s situation) { whenLevel(s, 4) }, ReasonConditions, func(s situation) { whenLevel(s, 3) }},
		{"a rule for another API does not help", foreign, func(s situation) { s.q.Audiences = []string{"orders"} }, ReasonNoRule, nil},
	})
}

func unauthenticated(s situation) {
	setRule(s.spec, func(g *GrantSpec) { g.Clients, g.Unauthenticated = nil, true })
}

func whenLevel(s situation, want int64) {
	setRule(s.spec, func(g *GrantSpec) { g.When = map[string]ConditionSpec{"level": {Exact: want}} })
}

func TestEvaluateOwnTokens(t *testing.T) {
	t.Parallel()
	runPairs(t, []pair{
		{"a client that neither owns the audience nor got the token refuses", own,
			func(s situation) { s.q.Subject.ClientID = "gateway" }, ReasonNotHolder, nil},
		{"the client it was issued to cannot change the audience", own, func(s situation) {
			s.q.Audiences, s.q.Scopes = []string{"orders"}, []string{"order.read"}
		}, ReasonNotHolder, nil},
		{"the client it was issued to cannot change the audience by naming none", own, func(s situation) {
			s.q.Audiences, s.q.Scopes = nil, nil
			setTrust(s.spec, Local, func(t *TrustSpec) {
				t.Grants = []GrantSpec{{Clients: []string{"portal"}, API: "orders", Scopes: []string{"order.read"}}}
			})
		}, ReasonNotHolder, func(s situation) { s.q.Audiences = nil }},
		{"the owner of its audience may change the audience", own, func(s situation) {
			s.q.Client, s.q.Audiences, s.q.Scopes = "gateway", []string{"orders"}, []string{"order.read"}
			setAPI(s.spec, "warehouse", func(a *APISpec) { a.Client = "portal" })
		}, ReasonNotHolder, func(s situation) {
			s.q.Client, s.q.Audiences, s.q.Scopes = "gateway", []string{"orders"}, []string{"order.read"}
		}},
		{"the owner of one audience of two is not the holder", own, func(s situation) {
			s.q.Client = "gateway"
			s.q.Subject.Audience = []string{warehouseURL, ordersURL}
			setAPI(s.spec, "orders", func(a *APISpec) { a.Client = "portal" })
		}, ReasonNotHolder, func(s situation) {
			s.q.Client = "gateway"
			s.q.Subject.Audience = []string{warehouseURL, ordersURL}
		}},
		{"a token without audience has no holder", own, func(s situation) { s.q.Client = "gateway"; s.q.Subject.Audience = nil },
			ReasonNotHolder, func(s situation) { s.q.Client = "gateway" }},
		{"an own token is never exchanged without a client", own, func(s situation) { s.q.Client = "" }, ReasonNotHolder, nil},
		{"a sixth exchange in one chain refuses", own, func(s situation) { s.q.Subject.Links = MaxLinks }, ReasonChainTooLong,
			func(s situation) { s.q.Subject.Links = MaxLinks - 1 }},
		{"a negative count of exchanges refuses", own, func(s situation) { s.q.Subject.Links = -1 }, ReasonChainTooLong, nil},
		{"a scope that the token lacks is not gained from a list", own, func(s situation) { s.q.Subject.Scopes = []string{"stock.order"} },
			ReasonScopeEmpty, nil},
		{"a scope that the token lacks is not gained from a table", own, func(s situation) {
			s.q.Client, s.q.Audiences, s.q.Scopes = "gateway", []string{"orders"}, []string{"order.read"}
			s.q.Subject.Scopes = nil
		}, ReasonScopeEmpty, func(s situation) {
			s.q.Client, s.q.Audiences, s.q.Scopes = "gateway", []string{"orders"}, []string{"order.read"}
		}},
		{"a table gives client credentials nothing", itself, func(s situation) {
			setTrust(s.spec, Local, func(t *TrustSpec) {
				t.Grants = []GrantSpec{{Clients: []string{"portal"}, API: "warehouse", ScopeMap: map[string]string{"stock.read": "stock.read"}}}
			})
		}, ReasonNoRule, nil},
	})
}

func TestEvaluateTargets(t *testing.T) {
	t.Parallel()
	both := func(s situation) {
		s.q.Audiences = []string{"warehouse", ordersURL}
		s.q.Scopes = []string{"stock.read", "order.read"}
		addRule(s.spec, "hq", GrantSpec{Clients: []string{"portal"}, API: "orders", Scopes: []string{"order.read"}})
	}
	shared := func(s situation) {
		both(s)
		s.q.Scopes = []string{"audit"}
		setAPI(s.spec, "warehouse", func(a *APISpec) { a.Scopes["audit"] = "Read the log" })
		setAPI(s.spec, "orders", func(a *APISpec) { a.Scopes["audit"] = "Read the log" })
		setClient(s.spec, "portal", func(c *ClientSpec) {
			c.APIs = map[string][]string{"warehouse": {"stock.read", "audit"}, "orders": {"order.read", "audit"}}
		})
		setRule(s.spec, func(g *GrantSpec) { g.Scopes = []string{"audit"} })
	}
	runPairs(t, []pair{
		{"an unknown audience refuses", foreign, func(s situation) { s.q.Audiences = []string{"warehouse", "nowhere"} }, ReasonTargetUnknown, nil},
		{"an unknown resource refuses", foreign, func(s situation) { s.q.Resources = []string{warehouseURL + "/v3"} }, ReasonTargetUnknown,
			func(s situation) { s.q.Resources = []string{warehouseURL + "/v2"} }},
		{"a resource is not an API's name", foreign, func(s situation) { s.q.Resources = []string{"warehouse"} }, ReasonTargetUnknown,
			func(s situation) { s.q.Resources = []string{warehouseURL} }},
		{"an audience is not a listed resource", foreign, func(s situation) { s.q.Audiences = []string{warehouseURL + "/v2"} }, ReasonTargetUnknown,
			func(s situation) { s.q.Audiences = []string{warehouseURL} }},
		{"an audience is compared byte for byte", foreign, func(s situation) { s.q.Audiences = []string{warehouseURL + "/"} }, ReasonTargetUnknown, nil},
		{"nothing named is ambiguous when the rules allow two APIs", foreign,
			func(s situation) { both(s); s.q.Audiences = nil }, ReasonTargetAmbiguous,
			func(s situation) { s.q.Audiences = nil }},
		{"a rule whose conditions fail does not make it ambiguous", foreign,
			func(s situation) { both(s); s.q.Audiences, s.q.Scopes = nil, []string{"stock.read"} }, ReasonTargetAmbiguous,
			func(s situation) {
				both(s)
				s.q.Audiences, s.q.Scopes = nil, []string{"stock.read"}
				s.spec.Trusts["hq"].Grants[1].When = map[string]ConditionSpec{"level": {Exact: int64(9)}}
			}},
		{"two targets with other token settings refuse", foreign,
			func(s situation) { both(s); setAPI(s.spec, "orders", func(a *APISpec) { a.Token.Typ = "JWT" }) }, ReasonTargetsDisagree, both},
		{"two targets with other owners refuse", foreign,
			func(s situation) { both(s); setAPI(s.spec, "orders", func(a *APISpec) { a.Client = "portal" }) }, ReasonTargetsDisagree, both},
		{"a second target without a rule refuses", foreign,
			func(s situation) { both(s); setTrust(s.spec, "hq", func(t *TrustSpec) { t.Grants = t.Grants[:1] }) }, ReasonNoRule, both},
		{"a second target whose conditions fail refuses", foreign, func(s situation) {
			both(s)
			s.spec.Trusts["hq"].Grants[1].When = map[string]ConditionSpec{"level": {Exact: int64(9)}}
		}, ReasonConditions, both},
		{"a second target for which nothing was asked refuses", foreign,
			func(s situation) { both(s); s.q.Scopes = []string{"stock.read"} }, ReasonNoRule, both},
		{"a scope that one of two targets withholds refuses", foreign, shared, ReasonTargetsDisagree, func(s situation) {
			shared(s)
			s.spec.Trusts["hq"].Grants[1].Scopes = []string{"audit"}
		}},
		{"a scope registered for one of two targets refuses", foreign, func(s situation) {
			shared(s)
			s.spec.Trusts["hq"].Grants[1].Scopes = []string{"audit"}
			s.spec.Clients["portal"].APIs["orders"] = []string{"order.read"}
		}, ReasonTargetsDisagree, func(s situation) {
			shared(s)
			s.spec.Trusts["hq"].Grants[1].Scopes = []string{"audit"}
		}},
	})
}

func TestEvaluateScopesClaimsTime(t *testing.T) {
	t.Parallel()
	table := func(s situation) {
		setRule(s.spec, func(g *GrantSpec) { g.Scopes, g.ScopeMap = nil, map[string]string{"inventory:read": "stock.read"} })
	}
	second := func(s situation, path string) {
		setRule(s.spec, func(g *GrantSpec) { g.Claims = map[string]string{"team": "department"} })
		addRule(s.spec, "hq", GrantSpec{Clients: []string{"portal"}, API: "warehouse", Scopes: []string{"stock.read"}, Claims: map[string]string{"team": path}})
	}
	runPairs(t, []pair{
		{"an unknown scope refuses", foreign, func(s situation) { s.q.Scopes = []string{"stock.read", "stock.burn"} }, ReasonScopeUnknown, nil},
		{"a scope of an API that is no target is unknown", foreign, func(s situation) { s.q.Scopes = []string{"stock.read", "order.read"} }, ReasonScopeUnknown, nil},
		{"a wildcard scope is unknown", foreign, func(s situation) { s.q.Scopes = []string{"*"} }, ReasonScopeUnknown, nil},
		{"a scope outside the registration refuses", foreign, func(s situation) {
			s.spec.Clients["portal"].APIs["warehouse"] = []string{"stock.order"}
		}, ReasonScopeUnregistered, nil},
		{"registration does not bind an unauthenticated caller", foreign, func(s situation) {
			s.spec.Clients["portal"].APIs["warehouse"] = nil
		}, ReasonScopeUnregistered, func(s situation) {
			s.spec.Clients["portal"].APIs["warehouse"] = nil
			s.q.Client = ""
			unauthenticated(s)
		}},
		{"a result emptied by the rule refuses", foreign, func(s situation) { s.q.Scopes = []string{"stock.order"} }, ReasonScopeEmpty,
			func(s situation) { s.q.Scopes = []string{"stock.order", "stock.read"} }},
		{"a table gives nothing to a credential without scopes", foreign, table, ReasonScopeEmpty, func(s situation) {
			table(s)
			s.q.Subject.HasScopes, s.q.Subject.Scopes = true, []string{"inventory:read"}
		}},
		{"a table gives nothing to a credential that does not carry scopes at all, whatever is listed", foreign, func(s situation) {
			table(s)
			s.q.Subject.Scopes = []string{"inventory:read"}
		}, ReasonScopeEmpty, func(s situation) {
			table(s)
			s.q.Subject.HasScopes, s.q.Subject.Scopes = true, []string{"inventory:read"}
		}},
		{"a table gives nothing for a scope of our name", foreign, func(s situation) {
			table(s)
			s.q.Subject.HasScopes, s.q.Subject.Scopes = true, []string{"stock.read"}
		}, ReasonScopeEmpty, func(s situation) {
			table(s)
			s.q.Subject.HasScopes, s.q.Subject.Scopes = true, []string{"inventory:read"}
		}},
		{"a table gives no bare token to a credential without scopes", foreign, func(s situation) { table(s); s.q.Scopes = nil }, ReasonScopeEmpty,
			func(s situation) { s.q.Scopes = nil }},
		{"defaults that are withheld refuse", foreign, func(s situation) {
			table(s)
			s.q.Scopes = nil
			setRule(s.spec, func(g *GrantSpec) { g.DefaultScopes = []string{"stock.read"} })
		}, ReasonScopeEmpty, func(s situation) {
			s.q.Scopes = nil
			setRule(s.spec, func(g *GrantSpec) { g.DefaultScopes = []string{"stock.read"} })
		}},
		{"two rules that map different values to one claim refuse", foreign, func(s situation) { second(s, "level") }, ReasonClaimConflict,
			func(s situation) { second(s, "/department") }},
		{"an absent claim conflicts with nothing", foreign, func(s situation) { second(s, "sub") }, ReasonClaimConflict,
			func(s situation) { second(s, "absent") }},
		{"an expired credential refuses", foreign, func(s situation) { s.q.Subject.Expires = noon }, ReasonLifetime,
			func(s situation) { s.q.Subject.Expires = noon.Add(time.Second) }},
		{"a credential without expiry refuses", foreign, func(s situation) { s.q.Subject.Expires = time.Time{} }, ReasonLifetime, nil},
		{"a request without time refuses", foreign, func(s situation) { s.q.Now = time.Time{} }, ReasonLifetime, nil},
	})
}

func TestRefusalsNameValues(t *testing.T) {
	t.Parallel()
	spec := hmart()
	setRule(&spec, func(g *GrantSpec) {
		g.When = map[string]ConditionSpec{"department": {OneOf: []any{"sales"}}, "level": {Exact: int64(3)}}
	})
	q := foreign()
	q.Explain = true
	d := compile(t, spec).Evaluate(q, live)
	const want = `department = "logistics", want one of ["sales"]`
	if d.Reason != ReasonConditions || !strings.Contains(d.Detail, want) {
		t.Errorf("got %q: %s, want the detail to hold %s", d.Reason, d.Detail, want)
	}
	var seen []string
	for _, s := range d.Steps {
		if strings.HasPrefix(s.Name, "when ") {
			seen = append(seen, s.Rule+" "+s.Name+" "+map[bool]string{true: "yes", false: "no"}[s.OK])
		}
	}
	if got := strings.Join(seen, "; "); got != "hq.grant[0] when department no; hq.grant[0] when level yes" {
		t.Errorf("steps of the conditions: %s", got)
	}
	if last := d.Steps[len(d.Steps)-1]; last.OK || last.Detail != d.Detail {
		t.Errorf("the last step is %+v, not the refusal", last)
	}
}
