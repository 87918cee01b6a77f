// SPDX-License-Identifier: MIT
// An OpenID provider on loopback over HTTPS: authorization code with PKCE and device code for a public client, client
// credentials for a confidential one, refresh tokens that rotate, introspection and revocation.
//
//     node server.mjs MODULES KEY CERT        MODULES has the oidc-provider of package-lock.json in its node_modules
//
// Prints one line of JSON, {"port": N}, and lives until standard input closes. Besides what the provider has:
//
//     POST /switch   {"access": seconds, "refresh": seconds, "expired": true, "fail": {"error": ..., ...}, "times": n}
//                    lifetimes of what is given out from now on; `expired`: access tokens given out so far are no more; `fail`: the
//                    token endpoint answers with that, `times` times (for ever without)
//     GET /requests  [{"path", "grant_type", "client_id", "error", "status"}] of everything that was asked so far
//
// Anybody may log in with the password "open sesame"; the e-mail address is what was typed as the login.
import { createRequire } from 'node:module';
import { createServer } from 'node:https';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { randomBytes, generateKeyPairSync } from 'node:crypto';

const [modules, key, cert] = process.argv.slice(2);
const require = createRequire(join(modules, 'package.json'));
const { Provider } = await import(pathToFileURL(require.resolve('oidc-provider')).href);

const life = { access: 3600, refresh: 14 * 86400 };
const requests = [];
let failure = null;
const tokens = new Set();
const dead = new Set();

const server = createServer({ key: readFileSync(key), cert: readFileSync(cert) });
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const { port } = server.address();
const issuer = `https://localhost:${port}`;
const signing = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' });

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: 'mail program', application_type: 'native', token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
      redirect_uris: ['http://localhost'], response_types: ['code'],
    },
    {
      client_id: 'organisation', client_secret: 'secret of the organisation', grant_types: ['client_credentials'],
      redirect_uris: [], response_types: [], token_endpoint_auth_method: 'client_secret_post',
    },
    {
      client_id: 'mail server', client_secret: 'secret-of-the-server', grant_types: [], redirect_uris: [], response_types: [],
    },
  ],
  jwks: { keys: [{ ...signing, use: 'sig', alg: 'RS256' }] },
  cookies: { keys: [randomBytes(16).toString('hex')] },
  scopes: ['openid', 'offline_access', 'mail'],
  claims: { openid: ['sub'], mail: ['email'] },
  async findAccount(ctx, id) {
    return { accountId: id, async claims() { return { sub: id, email: id }; } };
  },
  features: {
    devInteractions: { enabled: true },
    deviceFlow: { enabled: true },
    clientCredentials: { enabled: true },
    introspection: { enabled: true, allowedPolicy: async () => true },
    revocation: { enabled: true, allowedPolicy: async () => true },
  },
  pkce: { required: () => true },
  issueRefreshToken: async (ctx, client) => client.grantTypeAllowed('refresh_token'),
  rotateRefreshToken: true,
  expiresWithSession: async () => false,
  ttl: {
    AccessToken: () => life.access,
    ClientCredentials: () => life.access,
    RefreshToken: () => life.refresh,
    AuthorizationCode: 60,
    DeviceCode: 60,
    Grant: 14 * 86400,
    Interaction: 600,
    Session: 14 * 86400,
    IdToken: 3600,
  },
});

async function body(req) {
  const parts = [];
  for await (const part of req) parts.push(part);
  return Buffer.concat(parts).toString();
}

function answer(res, status, value) {
  res.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  res.end(JSON.stringify(value));
}

// What the provider's own memory says of a token, made stricter by the switch `expired`, and with the address in it.
provider.use(async (ctx, next) => {
  const { path } = ctx;
  const note = { path };
  requests.push(note);
  await next();
  const given = ctx.oidc?.params ?? {};
  note.grant_type = given.grant_type;
  note.client_id = given.client_id ?? ctx.oidc?.client?.clientId;
  note.status = ctx.status;
  note.error = ctx.body?.error;
  if (ctx.body?.access_token) tokens.add(ctx.body.access_token);
  if (path === '/token/introspection' && ctx.body?.active) {
    if (dead.has(given.token)) ctx.body = { active: false };
    else ctx.body = { ...ctx.body, email: ctx.body.sub ?? 'anna' };
  }
});

const inner = provider.callback();
server.on('request', async (req, res) => {
  const { pathname } = new URL(req.url, issuer);
  if (pathname === '/requests') return answer(res, 200, requests);
  if (pathname === '/switch') {
    const wish = JSON.parse(await body(req));
    for (const name of ['access', 'refresh']) if (name in wish) life[name] = wish[name];
    if ('fail' in wish) failure = wish.fail && { ...wish.fail, times: wish.times ?? Infinity };
    if (wish.expired) tokens.forEach((token) => dead.add(token));
    return answer(res, 200, {});
  }
  if (pathname === '/token' && failure && failure.times > 0) {
    const { times, status = 400, ...said } = failure;
    failure.times = times - 1;
    const given = new URLSearchParams(await body(req));
    requests.push({ path: pathname, grant_type: given.get('grant_type'), client_id: given.get('client_id'), status, error: said.error });
    return answer(res, status, said);
  }
  return inner(req, res);
});

process.stdin.on('end', () => process.exit(0)).resume();
console.log(JSON.stringify({ port }));
