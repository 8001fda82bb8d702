"""The lines of the matrix; what they mean is in `matrix.py`."""

# method  path  people  keys
TABLE = """
GET     /                                                  person
GET     /more                                              person
GET     /help/patterns                                     admin
GET     /setup                                             all
POST    /setup                                             all
GET     /sign-in                                           all
POST    /sign-in                                           all
GET     /sign-in/plex                                      all
POST    /sign-in/plex                                      all
POST    /sign-in/plex/code                                 all
POST    /sign-in/plex/cancel                               all
GET     /sign-in/plex/return                               all
GET     /sign-in/code                                      all
POST    /sign-in/code                                      all
POST    /sign-out                                          person
GET     /ping                                              all
GET     /healthz                                           all
GET     /readyz                                            all
GET     /static/{version:str}/{name:path}                  all
GET     /{address:path}                                    all
POST    /{address:path}                                    all
PUT     /{address:path}                                    all
PATCH   /{address:path}                                    all
DELETE  /{address:path}                                    all

GET     /requests                                          person
POST    /requests                                          person
GET     /requests/list                                     person
GET     /requests/count                                    person
GET     /requests/summary                                  person
GET     /requests/new                                      person
GET     /requests/panel                                    person
POST    /requests/decide                                   manage_requests
GET     /requests/{request_id:int}                         person
GET     /requests/{request_id:int}/row                     person
POST    /requests/{request_id:int}/{verb:str}              person

GET     /downloads                                         person
POST    /downloads                                         person
GET     /downloads/list                                    person
POST    /downloads/preview                                 person
POST    /downloads/all/{act:str}                           person
POST    /downloads/sites/go-on                             admin
GET     /downloads/cookies                                 admin
POST    /downloads/cookies                                 admin
POST    /downloads/cookies/remove                          admin
GET     /downloads/settings                                admin
POST    /downloads/settings                                admin
GET     /downloads/history                                 person
GET     /downloads/history/{history_id:int}                person
POST    /downloads/history/{history_id:int}/{verb:str}     person
GET     /downloads/keeping                                 admin
POST    /downloads/keeping                                 admin
POST    /system/plex/library/check                         manage_settings
GET     /api/v1/history                                    person          read downloads admin
GET     /api/v1/history/{history_id:int}                   person          read downloads admin
DELETE  /api/v1/history/{history_id:int}                   person          downloads admin
PUT     /api/v1/history/{history_id:int}/shield            person          downloads admin
DELETE  /api/v1/history/{history_id:int}/shield            person          downloads admin
GET     /api/v1/keeping                                    admin           admin
PUT     /api/v1/keeping                                    admin           admin
POST    /api/v1/keeping/dry-run                            admin           admin
GET     /downloads/folder                                  admin
GET     /downloads/folder/work                             admin
POST    /downloads/folder/adopt                            admin
POST    /downloads/folder/archive                          admin
POST    /downloads/folder/move                             admin
POST    /downloads/folder/stop                             admin
GET     /api/v1/library-work                               admin           admin
POST    /api/v1/library-work                               admin           admin
DELETE  /api/v1/library-work                               admin           admin
POST    /api/v1/library-work/archive                       admin           admin
GET     /api/v1/keeping/planned                            admin           admin
GET     /system/engine                                     admin
GET     /system/engine/state                               admin
POST    /system/engine/update                              admin
POST    /system/engine/rollback                            admin
POST    /system/engine/look-again                          admin
POST    /system/engine/channel                             admin
POST    /system/engine/file                                admin
GET     /downloads/{download_id:int}                       person
GET     /downloads/{download_id:int}/items                 person
GET     /downloads/{download_id:int}/row                   person
POST    /downloads/{download_id:int}/{verb:str}            person
POST    /downloads/{download_id:int}/collection/retry      person
GET     /subscriptions                                     person
POST    /subscriptions                                     follow
GET     /subscriptions/list                                person
POST    /subscriptions/preview                             follow
GET     /subscriptions/{subscription_id:int}               person
POST    /subscriptions/{subscription_id:int}               person
GET     /subscriptions/{subscription_id:int}/card          person
GET     /subscriptions/{subscription_id:int}/items         person
GET     /subscriptions/{subscription_id:int}/delete        person
POST    /subscriptions/{subscription_id:int}/delete        person
POST    /subscriptions/{subscription_id:int}/dry-run       person
POST    /subscriptions/{subscription_id:int}/{verb:str}    person
POST    /subscriptions/{subscription_id:int}/items/{item_id:int}/{verb:str} person
GET     /pictures/{name:str}                               person
GET     /pictures/{source:str}/{size:str}/{signature:str}/{name:str} person

GET     /search                                            person
GET     /search/results                                    person
GET     /search/more                                       person
GET     /search/suggestions                                person
GET     /home/rows                                         person
GET     /media/{media_type:str}/{tmdb_id:int}              person
GET     /library                                           person
GET     /library/recent                                    person
GET     /library/collections                               person
GET     /library/item/{rating_key:str}                     person
GET     /library/{key:str}                                 person
GET     /library/{key:str}/items                           person
GET     /api/v1/search                                     person          read requests admin
GET     /api/v1/media/recent                               person          read requests admin
GET     /api/v1/media/{media_type:str}/{tmdb_id:int}       person          read requests admin
GET     /api/v1/libraries                                  person          read requests admin
GET     /api/v1/libraries/{key:str}/items                  person          read requests admin

GET     /settings                                          person
POST    /settings                                          person
GET     /settings/devices                                  person
POST    /settings/devices/end-others                       person
POST    /settings/devices/{session_id:uuid}/end            person
GET     /settings/password                                 person
POST    /settings/password                                 person
GET     /settings/picture                                  person
POST    /settings/picture                                  person
POST    /settings/picture/remove                           person
GET     /settings/plex                                     admin
GET     /settings/plex/return                              admin
GET     /settings/plex/waiting                             admin
POST    /settings/plex/link                                admin
POST    /settings/plex/cancel                              admin
POST    /settings/plex/unlink                              admin
POST    /settings/name                                     person
GET     /settings/delete                                   person
POST    /settings/delete                                   person
POST    /settings/devices/end-all                          person
GET     /settings/keys                                     person
POST    /settings/keys                                     adult
POST    /settings/keys/{key_id:int}/revoke                 person
GET     /settings/notices                                  person
POST    /settings/notices/{notice_id:int}                  person
GET     /settings/two-step                                 person
GET     /settings/two-step/set-up                          person
POST    /settings/two-step/set-up                          person
POST    /settings/two-step/off                             person
POST    /settings/two-step/backup-codes                    person

GET     /people                                            manage_users
GET     /people/new                                        manage_users
POST    /people/new                                        manage_users
GET     /people/rights                                     admin
POST    /people/rights                                     admin
GET     /people/{person_id:int}                            manage_users
GET     /people/{person_id:int}/picture                    person
GET     /people/{person_id:int}/delete                     manage_users
POST    /people/{person_id:int}/delete                     manage_users
POST    /people/{person_id:int}/end-suspension             manage_users
POST    /people/{person_id:int}/password                   manage_users
POST    /people/{person_id:int}/profile                    manage_users
POST    /people/{person_id:int}/rights                     manage_users
POST    /people/{person_id:int}/second-factor/remove       manage_users
POST    /people/{person_id:int}/sessions/end               manage_users
POST    /people/{person_id:int}/suspend                    manage_users


GET     /system                                            admin
GET     /system/audit/export                               admin
GET     /system/audit                                      admin
POST    /system/tasks/{name:str}/run                       admin
GET     /system/plex                                       manage_settings
GET     /system/plex/library                               manage_settings
POST    /system/plex/library                               manage_settings
GET     /system/plex/library/test                          manage_settings
POST    /system/plex/library/test                          manage_settings
POST    /system/plex/library/look-again                    manage_settings
POST    /system/plex/begin                                 manage_settings
POST    /system/plex/cancel                                manage_settings
POST    /system/plex/by-hand                               manage_settings
POST    /system/plex/address                               manage_settings
POST    /system/plex/test                                  manage_settings
POST    /system/plex/disconnect                            manage_settings
POST    /system/plex/link                                  manage_settings
POST    /system/plex/servers                               manage_settings
GET     /system/plex/return                                manage_settings
GET     /system/plex/waiting                               manage_settings
GET     /system/plex/servers                               manage_settings
GET     /system/overseerr                                  manage_settings
POST    /system/overseerr                                  manage_settings
POST    /system/overseerr/test                             manage_settings
POST    /system/overseerr/user                             manage_settings
POST    /system/overseerr/accept                           manage_settings
POST    /system/overseerr/webhook-secret                   manage_settings
POST    /system/overseerr/disconnect                       manage_settings
POST    /system/services/{name:str}/reset                  admin
GET     /system/security                                   manage_settings
POST    /system/security                                   manage_settings
POST    /system/security/trust-proxy                       manage_settings

POST    /api/v1/setup                                      all
POST    /api/v1/auth/login                                 all
POST    /api/v1/auth/refresh                               all
POST    /api/v1/auth/plex/pins                             all
GET     /api/v1/auth/plex/pins/{pin_id:uuid}               all
POST    /api/v1/auth/logout                                person
GET     /api/v1/me                                         person          read admin
PATCH   /api/v1/me                                         person
POST    /api/v1/me/password                                person
PATCH   /api/v1/me/preferences                             person
GET     /api/v1/me/second-factor                           person
POST    /api/v1/me/second-factor                           person
POST    /api/v1/me/second-factor/offer                     person
POST    /api/v1/me/second-factor/backup-codes              person
POST    /api/v1/me/second-factor/off                       person
GET     /api/v1/me/sessions                                person
DELETE  /api/v1/me/sessions/{session_id:uuid}              person
GET     /api/v1/api-keys                                   person
POST    /api/v1/api-keys                                   adult
DELETE  /api/v1/api-keys/{key_id:int}                      person
SOCKET  /api/v1/live                                       person          read requests downloads admin
GET     /api/docs                                          person
GET     /api/v1/openapi.json                               person
GET     /api/v1/openapi.json/openapi.json                  person
GET     /api/v1/openapi.json/{path:str}                    person

GET     /api/v1/downloads                                  person          read downloads admin
POST    /api/v1/downloads                                  person          downloads admin
POST    /api/v1/downloads/preview                          person          downloads admin
GET     /api/v1/downloads/{download_id:int}                person          read downloads admin
PATCH   /api/v1/downloads/{download_id:int}                person          downloads admin
DELETE  /api/v1/downloads/{download_id:int}                person          downloads admin
GET     /api/v1/downloads/{download_id:int}/items          person          read downloads admin
POST    /api/v1/downloads/{download_id:int}/cancel         person          downloads admin
POST    /api/v1/downloads/{download_id:int}/pause          person          downloads admin
POST    /api/v1/downloads/{download_id:int}/resume         person          downloads admin
POST    /api/v1/downloads/{download_id:int}/retry          person          downloads admin
POST    /api/v1/downloads/{download_id:int}/record         person          downloads admin
POST    /api/v1/downloads/{download_id:int}/replay         person          downloads admin
POST    /api/v1/downloads/{download_id:int}/finish         person          downloads admin
POST    /api/v1/downloads/{download_id:int}/approve        manage_requests downloads admin
POST    /api/v1/downloads/{download_id:int}/decline        manage_requests downloads admin
GET     /api/v1/subscriptions                              person          read downloads admin
POST    /api/v1/subscriptions                              follow          downloads admin
POST    /api/v1/subscriptions/preview                      follow          downloads admin
GET     /api/v1/subscriptions/{subscription_id:int}        person          read downloads admin
PATCH   /api/v1/subscriptions/{subscription_id:int}        person          downloads admin
DELETE  /api/v1/subscriptions/{subscription_id:int}        person          downloads admin
POST    /api/v1/subscriptions/{subscription_id:int}/check  person          downloads admin
POST    /api/v1/subscriptions/{subscription_id:int}/dry-run person         downloads admin
GET     /api/v1/subscriptions/{subscription_id:int}/items  person          read downloads admin
POST    /api/v1/subscriptions/{subscription_id:int}/items/{item_id:int}/ignore person downloads admin
POST    /api/v1/subscriptions/{subscription_id:int}/items/{item_id:int}/download person downloads admin
GET     /api/v1/requests                                   person          read requests admin
POST    /api/v1/requests                                   person          requests admin
GET     /api/v1/requests/{request_id:int}                  person          read requests admin
DELETE  /api/v1/requests/{request_id:int}                  person          requests admin
POST    /api/v1/requests/{request_id:int}/approve          manage_requests requests admin
POST    /api/v1/requests/{request_id:int}/decline          manage_requests requests admin
POST    /api/v1/requests/{request_id:int}/retry            person          requests admin
POST    /api/v1/requests/{request_id:int}/follow           person          requests admin
DELETE  /api/v1/requests/{request_id:int}/follow           person          requests admin
POST    /api/v1/webhooks/overseerr                         all
GET     /api/v1/users                                      manage_users    admin
POST    /api/v1/users                                      manage_users    admin
GET     /api/v1/users/{person_id:int}                      manage_users    admin
PATCH   /api/v1/users/{person_id:int}                      manage_users    admin
DELETE  /api/v1/users/{person_id:int}                      manage_users    admin
GET     /api/v1/users/{person_id:int}/belongings           manage_users    admin
POST    /api/v1/users/{person_id:int}/password             manage_users    admin
DELETE  /api/v1/users/{person_id:int}/second-factor        manage_users    admin
DELETE  /api/v1/users/{person_id:int}/sessions             manage_users    admin
GET     /api/v1/default-rights                             admin           admin
PUT     /api/v1/default-rights                             admin           admin
GET     /api/v1/queue                                      person          read downloads admin
POST    /api/v1/queue/pause                                person          downloads admin
POST    /api/v1/queue/resume                               person          downloads admin
POST    /api/v1/queue/cancel                               person          downloads admin
POST    /api/v1/queue/retry                                person          downloads admin
POST    /api/v1/queue/sites/{site:str}/resume              admin           admin
GET     /api/v1/cookies                                    admin           admin
PUT     /api/v1/cookies/{site:str}                         admin           admin
DELETE  /api/v1/cookies/{site:str}                         admin           admin
GET     /api/v1/queue-settings                             admin           admin
PUT     /api/v1/queue-settings                             admin           admin

GET     /api/v1/system/security                            manage_settings  admin
PUT     /api/v1/system/security                            manage_settings  admin

GET     /api/v1/integrations/plex                          manage_settings  admin
PUT     /api/v1/integrations/plex                          manage_settings  admin
POST    /api/v1/integrations/plex/test                     manage_settings  admin
GET     /api/v1/integrations/overseerr                     manage_settings  admin
PUT     /api/v1/integrations/overseerr                     manage_settings  admin
DELETE  /api/v1/integrations/overseerr                     manage_settings  admin
POST    /api/v1/integrations/overseerr/test                manage_settings  admin
GET     /api/v1/system/health                              admin           admin
GET     /api/v1/system/audit                               admin           admin
GET     /api/v1/system/engine                              admin           admin
POST    /api/v1/system/engine/update                       admin           admin
POST    /api/v1/system/engine/rollback                     admin           admin
POST    /api/v1/system/engine/channel                      admin           admin
GET     /api/v1/system/tasks                               admin           admin
POST    /api/v1/system/tasks/{name:str}/run                admin           admin
"""
