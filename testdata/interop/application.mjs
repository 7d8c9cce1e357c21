// An application that people sign in to with the broker: npm's openid-client, with discovery only. Settings come from the environment:
//   HOST, PORT, CERT, KEY   it is https://HOST:PORT; PEM files
//   BROKER, CLIENT, SECRET  the broker's issuer, and what it is there
//   NAME, SCOPE, MODE       what it is called, what it asks for, and how the answer comes: "query" or "form_post"
// Prints "listening URL" when it serves. Pages:
//   /           who is signed in, and what was heard of the session
//   /login      signs in; parameters such as prompt=none are passed on
//   /refresh    POST: the newest refresh token; /again: the first one once more
//   /logout     POST: RP-initiated
//   /told       POST: back-channel logout;  /asked: front-channel logout
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import https from 'node:https';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import * as client from 'openid-client';

const { HOST, PORT, CERT, KEY, BROKER, CLIENT, SECRET, NAME, SCOPE, MODE } = process.env;
const home = `https://${HOST}:${PORT}`;

const begun = new Map(); // state → what the answer is checked with
const sessions = new Map(); // cookie → session

// The broker is looked for when somebody comes, so that either may start first.
let config;
const broker = () => (config ??= client.discovery(new URL(BROKER), CLIENT, SECRET).catch((err) => { config = undefined; throw err; }));

// An answer by form_post comes from another site: only a cookie with SameSite=None comes along.
const cookie = (name, value, site) => `__Host-${name}=${value}; Path=/; Secure; HttpOnly; SameSite=${site}`;
const cookieOf = (req, name) => new RegExp(`(?:^|; )__Host-${name}=([^;]+)`).exec(req.headers.cookie ?? '')?.[1];
const sessionOf = (req) => sessions.get(cookieOf(req, 'session'));

const escape = (text) => String(text).replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
const button = (path, text) => `<form method="post" action="${path}"><button>${text}</button></form>`;

function page(res, lines, status = 200) {
  const text = lines.map((l) => `<p>${escape(l)}</p>`).join('');
  res.writeHead(status, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' });
  res.end(`<!doctype html><html lang="en"><title>${NAME}</title><h1>${NAME}</h1>${text}<p><a href="/login">Sign in</a></p>`
    + button('/refresh', 'Refresh') + button('/again', 'Refresh again') + button('/logout', 'Sign out'));
}

function redirect(res, url, cookies = []) {
  res.writeHead(303, { location: url, 'set-cookie': cookies, 'cache-control': 'no-store' });
  res.end();
}

async function bodyOf(req) {
  let body = '';
  for await (const chunk of req) body += chunk;
  return body;
}

async function login(req, res, url) {
  const checks = { pkceCodeVerifier: client.randomPKCECodeVerifier(), expectedState: client.randomState(), expectedNonce: client.randomNonce(), idTokenExpected: true };
  const browser = randomUUID();
  begun.set(checks.expectedState, { checks, browser });
  const parameters = new URLSearchParams({
    redirect_uri: `${home}/callback`, scope: SCOPE, state: checks.expectedState, nonce: checks.expectedNonce,
    code_challenge: await client.calculatePKCECodeChallenge(checks.pkceCodeVerifier), code_challenge_method: 'S256',
    ...(MODE === 'form_post' && { response_mode: 'form_post' }),
  });
  for (const [name, value] of url.searchParams) parameters.set(name, value);
  redirect(res, client.buildAuthorizationUrl(await broker(), parameters).href, [cookie('login', browser, 'None')]);
}

async function callback(req, res, url) {
  const body = req.method === 'POST' ? await bodyOf(req) : null;
  const answer = body === null ? url.searchParams : new URLSearchParams(body);
  const from = begun.get(answer.get('state'));
  begun.delete(answer.get('state'));
  if (!from || from.browser !== cookieOf(req, 'login')) return page(res, ['This sign-in is over.'], 400);
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const current = body === null ? url : new Request(url, { method: 'POST', headers, body });
  const tokens = await client.authorizationCodeGrant(await broker(), current, from.checks);
  const claims = tokens.claims();
  const id = randomUUID();
  sessions.set(id, { claims, userinfo: await userinfo(tokens, claims), tokens, first: tokens.refresh_token });
  return redirect(res, `${home}/`, [cookie('session', id, 'Lax')]);
}

// With an API in its scopes the access token is for that API, and the ID token has the claims.
async function userinfo(tokens, claims) {
  return claims.name ? claims : client.fetchUserInfo(await broker(), tokens.access_token, claims.sub);
}

function front(req, res) {
  const s = sessionOf(req);
  if (!s) return page(res, ['Nobody is signed in.']);
  if (s.over) return page(res, [`Nobody is signed in: ${s.over}.`, s.said ?? '']);
  return page(res, [
    `Signed in as ${s.userinfo.name}`, `sub ${s.claims.sub}`, `auth_time ${s.claims.auth_time}`, `sid ${s.claims.sid}`,
    `refreshed ${s.refreshed ?? 0} times`, s.said ?? '',
  ]);
}

async function refresh(s, token) {
  try {
    s.tokens = { id_token: s.tokens.id_token, ...(await client.refreshTokenGrant(await broker(), token)) };
    s.refreshed = (s.refreshed ?? 0) + 1;
    s.said = `the broker gave ${s.tokens.scope}`;
  } catch (err) {
    s.said = `the broker said ${err.error ?? err.message}`;
  }
}

async function logout(req, res) {
  const s = sessionOf(req);
  const parameters = { post_logout_redirect_uri: `${home}/`, state: 'bye', ...(s && { id_token_hint: s.tokens.id_token }) };
  redirect(res, client.buildEndSessionUrl(await broker(), parameters).href);
}

// OpenID Connect Back-Channel Logout 1.0 §2.6.
async function told(req, res) {
  const metadata = (await broker()).serverMetadata();
  const { payload } = await jwtVerify(new URLSearchParams(await bodyOf(req)).get('logout_token'), createRemoteJWKSet(new URL(metadata.jwks_uri)),
    { issuer: BROKER, audience: CLIENT, typ: 'logout+jwt' });
  if (payload.nonce || !payload.jti || !payload.events?.['http://schemas.openid.net/event/backchannel-logout']) throw new Error('no logout token');
  over((s) => s.claims.sid === payload.sid && s.claims.sub === payload.sub, 'told by back-channel');
  res.writeHead(200, { 'cache-control': 'no-store' });
  res.end();
}

// OpenID Connect Front-Channel Logout 1.0 §3: in a frame of another site no cookie comes along, so sid has to tell.
function asked(req, res, url) {
  if (url.searchParams.get('iss') !== BROKER) throw new Error('another issuer');
  over((s) => s.claims.sid === url.searchParams.get('sid'), 'asked by front-channel');
  page(res, ['Signed out.']);
}

function over(ended, how) {
  for (const s of sessions.values()) if (ended(s)) s.over = how;
}

async function withSession(req, res, act) {
  const s = sessionOf(req);
  if (s) await act(s);
  redirect(res, `${home}/`);
}

const routes = {
  'GET /': front,
  'GET /login': login,
  'GET /callback': callback,
  'POST /callback': callback,
  'POST /refresh': (req, res) => withSession(req, res, (s) => refresh(s, s.tokens.refresh_token)),
  'POST /again': (req, res) => withSession(req, res, (s) => refresh(s, s.first)),
  'POST /logout': logout,
  'POST /told': told,
  'GET /asked': asked,
};

const server = https.createServer({ cert: readFileSync(CERT), key: readFileSync(KEY) }, async (req, res) => {
  const url = new URL(req.url, home);
  try {
    await (routes[`${req.method} ${url.pathname}`] ?? ((_, r) => page(r, ['There is no such page.'], 404)))(req, res, url);
  } catch (err) {
    page(res, [`The broker said ${err.error ?? err.message}`, err.error_description ?? ''], 400);
  }
});
server.listen(Number(PORT), HOST, () => console.log('listening', home));
