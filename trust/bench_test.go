package trust

import (
	"fmt"
	"math"
	"testing"
)

// crowd is hmart with n more trusts and n more clients, and a rule with two conditions for the usual request.
func crowd(t testing.TB, n int) *Registry {
	t.Helper()
	spec := hmart()
	setRule(&spec, func(g *GrantSpec) {
		g.When = map[string]ConditionSpec{"department": {OneOf: []any{"sales", "logistics"}}, "level": {Exact: int64(3)}}
	})
	for i := range n {
		client := fmt.Sprintf("client-%d", i)
		spec.Clients[client] = ClientSpec{Grants: []string{"token_exchange"}, APIs: map[string][]string{"warehouse": {"stock.read"}}}
		spec.Trusts[fmt.Sprintf("trust-%d", i)] = TrustSpec{
			Issuer: fmt.Sprintf("https://idp-%d.example", i), KeySource: "discovery", JWT: &UseSpec{Audiences: []string{"x"}},
			Grants: []GrantSpec{{Clients: []string{"portal", client}, API: "warehouse", Scopes: []string{"stock.read"}}},
		}
		addRule(&spec, "hq", GrantSpec{Clients: []string{client}, API: "warehouse", Scopes: []string{"stock.read"}})
	}
	return compile(t, spec)
}

func BenchmarkEvaluate(b *testing.B) {
	for _, n := range []int{1, 5000} {
		b.Run(fmt.Sprintf("trusts=%d", n), func(b *testing.B) {
			r, q := crowd(b, n), foreign()
			b.ReportAllocs()
			for b.Loop() {
				if d := r.Evaluate(q, live); !d.Granted {
					b.Fatal(d.Detail)
				}
			}
		})
	}
}

// Not parallel: AllocsPerRun counts for the whole process.
func TestEvaluateCostDoesNotGrowWithThePolicy(t *testing.T) {
	allocs := func(n int) float64 {
		r, q := crowd(t, n), foreign()
		return testing.AllocsPerRun(200, func() {
			if d := r.Evaluate(q, live); !d.Granted {
				t.Fatal(d.Detail)
			}
		})
	}
	small, large := allocs(1), allocs(5000)
	if math.Abs(large-small) > 0.02*small {
		t.Errorf("%v allocations with one trust and client more, %v with 5000", small, large)
	}
	if small > 15 {
		t.Errorf("%v allocations for one rule with two conditions", small)
	}
}
