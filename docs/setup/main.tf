terraform {
  required_providers {
    auth0 = {
      source  = "auth0/auth0"
      version = ">= 1.54" # 1.51 was the first with session_transfer.delegation
    }
  }
}

variable "subject_jwks" {
  description = "What sign_subject.py prints: the public keys of the console"
  type        = string
}

# The Action and the profile that picks it.

resource "auth0_action" "enter_account" {
  name    = "Enter a customer's account"
  runtime = "node22"
  deploy  = true
  code    = file("${path.module}/action.js")

  supported_triggers {
    id      = "custom-token-exchange"
    version = "v1"
  }

  dependencies {
    name    = "jose"
    version = "6.2.18"
  }

  secrets {
    name  = "SUBJECT_JWKS"
    value = var.subject_jwks
  }
}

resource "auth0_token_exchange_profile" "customer" {
  name               = "Customer, named by the console"
  subject_token_type = "urn:acme:customer"
  action_id          = auth0_action.enter_account.id
  type               = "custom_authentication"
}

# The two applications.

resource "auth0_client" "console" {
  name                = "Support console"
  app_type            = "regular_web"
  is_first_party      = true
  oidc_conformant     = true
  grant_types         = ["authorization_code", "refresh_token"]
  callbacks           = ["https://console.example.com/callback"]
  allowed_logout_urls = ["https://console.example.com/"]

  is_token_endpoint_ip_header_trusted = true

  jwt_configuration {
    alg = "RS256"
  }

  token_exchange {
    allow_any_profile_of_type = ["custom_authentication"]
  }

  session_transfer {
    can_create_session_transfer_token = true
  }
}

# The provider sets this method on creation only. An imported application keeps its own,
# and with another one than a client secret Auth0 ignores the agent's address.
resource "auth0_client_credentials" "console" {
  client_id             = auth0_client.console.id
  authentication_method = "client_secret_post"
}

resource "auth0_client" "shop" {
  name                = "Shop"
  app_type            = "regular_web"
  is_first_party      = true
  oidc_conformant     = true
  grant_types         = ["authorization_code", "refresh_token"]
  callbacks           = ["https://shop.example.com/callback"]
  allowed_logout_urls = ["https://shop.example.com/"]
  initiate_login_uri  = "https://shop.example.com/login"

  # An application that is made through the API may get HS256, which most libraries
  # refuse.
  jwt_configuration {
    alg = "RS256"
  }

  session_transfer {
    allowed_authentication_methods = ["cookie", "query"]

    delegation {
      allow_delegated_access = true
      enforce_device_binding = "ip"
    }
  }
}

output "console_client_id" {
  value = auth0_client.console.id
}

output "shop_client_id" {
  value = auth0_client.shop.id
}

# The customers' connection, on both.

data "auth0_connection" "customers" {
  name = "Username-Password-Authentication"
}

resource "auth0_connection_client" "console" {
  connection_id = data.auth0_connection.customers.id
  client_id     = auth0_client.console.id
}

resource "auth0_connection_client" "shop" {
  connection_id = data.auth0_connection.customers.id
  client_id     = auth0_client.shop.id
}
