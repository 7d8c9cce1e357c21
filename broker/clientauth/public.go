package clientauth

import "apostille/trust"

// public takes the client_id of a public application as it is. A confidential client that leaves its secret out is refused, and so is
// one that is registered as public and with a credential: refuse rather than guess which of the two was meant.
func (a *Authenticator) public(q Request, id string) (string, error) {
	bad := func(detail string) error {
		return &Error{Reason: trust.ReasonClientAuth, Client: id, Detail: detail}
	}
	client, known := q.Clients.Client(id)
	credential := q.Credentials[id]
	switch {
	case !known:
		return "", bad("no such client")
	case client.Spec.App == nil || !client.Spec.App.Public:
		return "", bad("client_id without authentication")
	case client.Spec.Disabled:
		return "", bad("the client is disabled")
	case len(credential.SecretSHA256) > 0 || credential.JWKS != nil:
		return "", bad("the client is registered as public and with a credential")
	case !q.Public:
		return "", bad("a public application may redeem codes and refresh tokens only")
	}
	return id, nil
}
